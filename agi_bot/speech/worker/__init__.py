"""Sound made in a process of its own: the wire, the child's side and the pool that keeps it alive."""

"""REST interface, metrics, console."""

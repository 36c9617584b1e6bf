"""Understanding: training data, interpreters, entities, knowledge."""

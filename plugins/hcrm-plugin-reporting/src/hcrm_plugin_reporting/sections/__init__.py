"""The overview's sections, one a module, each a function from facts to a `Section`."""

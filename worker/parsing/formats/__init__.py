"""One reader per family of formats; each loads its library only when it is needed."""

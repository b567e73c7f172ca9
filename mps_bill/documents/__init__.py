"""Documents that people write: YAML by position, shapes that say what a document may hold, and reading one."""

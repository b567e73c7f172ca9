"""The form of documents that people write: YAML with places, the shapes of values, and reading a document."""

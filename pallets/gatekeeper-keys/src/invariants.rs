//! What must hold after every call and step. The numbers are those of the crate's documentation.

//! Tests, one file per topic.

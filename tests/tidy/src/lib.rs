//! The project's rules as tests: see `tests/it`. Each rule is a function that is also shown something that breaks it.

//! just bench NAME: figures as JSON lines.

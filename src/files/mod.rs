//! Work on files that needs no pipeline and no store: searching them, redacting them.
//!
//! Not here: printing (`cli`), what is found (`stages::redact`), a run (`runner`).
//!
//! Always: answers come in the order of files and places, whatever the threads; memory does not
//! grow with a file; what cannot be read whole is told with a reason, never passed over in silence.

pub mod paths;
mod pieces;
pub mod redact;
pub mod scan;

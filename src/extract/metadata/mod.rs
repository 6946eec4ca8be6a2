//! What an answer says of itself in its head and its header fields.

pub(super) mod author;
pub(super) mod cookies;
pub(super) mod link_field;
pub(super) mod links;
pub(super) mod naming;
pub(super) mod refresh;
pub(super) mod robots;

//! Studies from outside: what is in the files, read by readers that share nothing with the writers.

mod study {
    mod dispatch;
    mod figures;
    mod files;
    mod log;
    mod pages;
    mod refusals;
    pub(crate) mod support;
}

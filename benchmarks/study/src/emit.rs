//! Scripts for schedulers of clusters.

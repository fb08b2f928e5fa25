//! The program as people use it: its arguments, its files, its signals, and every byte that it prints.

mod bad_files;
mod commands;
mod control;
mod door;
mod environment;
mod exec;
mod explain;
mod guide;
mod outside;
mod principal;
mod run;
mod running;
mod serve;
mod support;

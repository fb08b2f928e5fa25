//! Real containers, where a Docker engine answers; elsewhere each test says why it proves nothing, and passes.

mod containers;
mod machine;
mod rigs;

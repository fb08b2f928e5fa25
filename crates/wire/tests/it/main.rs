//! Both wires, as clients see them.

mod both;
mod bridge;
mod hosts;
mod properties;
mod refusals;
mod refused;
mod rig;

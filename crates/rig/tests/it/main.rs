//! A rig from outside: through its gateway, over TLS, as any client.

mod flow;
mod instances;
mod rigs;
mod shop;

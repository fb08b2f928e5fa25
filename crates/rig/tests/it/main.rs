//! A rig from outside: through its gateway, over TLS, as any client.

mod examples;
mod face;
mod flow;
mod instances;
mod orders_client;
mod rigs;
mod seeds;
mod shop;

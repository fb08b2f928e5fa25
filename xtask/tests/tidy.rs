//! The house itself: who depends on whom, which rooms a service has, that every refusal has evidence, that what is
//! generated is up to date.

#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/generated.rs"]
mod generated;
#[path = "tidy/house.rs"]
mod house;
#[path = "tidy/known.rs"]
mod known;
#[path = "tidy/manifests.rs"]
mod manifests;
#[path = "tidy/reached.rs"]
mod reached;
#[path = "tidy/readme.rs"]
mod readme;
#[path = "tidy/reference.rs"]
mod reference;
#[path = "tidy/refusals.rs"]
mod refusals;
#[path = "tidy/rooms.rs"]
mod rooms;
#[path = "tidy/table.rs"]
mod table;

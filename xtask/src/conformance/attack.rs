//! The suite `attack`: the command of that name against endpoints that are right, and wrong on purpose. They are programs
//! of Python and run in the environment of the suite `python`.

use std::ffi::OsString;

use super::{
    own_binary,
    place::{Place, Unready},
    python,
};

pub(super) fn prepare(place: &Place) -> Result<Vec<OsString>, Unready> {
    let of_python =
        Place { source: place.source.with_file_name("python"), target: place.target.with_file_name("python") };
    let program = python::prepare(&of_python)?.swap_remove(0);
    let own = own_binary().map_err(Unready::Failed)?;
    Ok(vec![program, place.source.join("suite.py").into(), own.into()])
}

//! A name server that knows every name: all of them lead to the rig.
//!
//! The names that a rig plays have no end (`*.run.app`, issuers), so that no list of hosts would do. What it does not play
//! the rig refuses by itself. Form of messages: RFC 1035 section 4.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::UdpSocket;

/// Where Google's machines find their metadata server.
pub(super) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// A message over UDP is no longer (RFC 1035 section 2.3.4); what an extension adds is not read.
const LONGEST: usize = 512;
const HEAD: usize = 12;
/// Seconds that an answer may be kept.
const KEPT: u32 = 60;
/// Address records, of the Internet.
const A: [u8; 4] = [0, 1, 0, 1];

/// Answers at an address, until it is dropped.
pub(super) async fn serve(address: SocketAddr) -> io::Result<impl Future<Output = ()>> {
    let socket = UdpSocket::bind(address).await?;
    Ok(async move {
        let mut message = [0; LONGEST];
        loop {
            match socket.recv_from(&mut message).await {
                Ok((length, from)) => {
                    if let Some(answer) = message.get(..length).and_then(answer) {
                        // Who does not get it asks again.
                        let _ = socket.send_to(&answer, from).await;
                    }
                }
                Err(fault) => tracing::debug!(%fault, "a question was not received"),
            }
        }
    })
}

/// The answer to a question: an address for each name, and no records of other kinds. `None` for what is no question.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (head, rest) = query.split_at_checked(HEAD)?;
    let [id_high, id_low, flags, _, 0, 1, ..] = *head else { return None };
    // A response (QR), or another operation than a plain question.
    if flags & 0b1111_1000 != 0 {
        return None;
    }
    let (name, length) = name(rest)?;
    let question = rest.get(..length.checked_add(4)?)?;
    let wants_address = question.ends_with(&A);
    let recursion = flags & 1;
    // QR and AA, with RD as asked; RA, and no error. One question, and one answer or none.
    let mut answer =
        vec![id_high, id_low, 0b1000_0100 | recursion, 0b1000_0000, 0, 1, 0, wants_address.into(), 0, 0, 0, 0];
    answer.extend_from_slice(question);
    if wants_address {
        // The name is the one at byte 12.
        answer.extend_from_slice(&[0xc0, 12]);
        answer.extend_from_slice(&A);
        answer.extend_from_slice(&KEPT.to_be_bytes());
        answer.extend_from_slice(&[0, 4]);
        answer.extend_from_slice(&address(&name).octets());
    }
    Some(answer)
}

/// The name that a question begins with, in small letters, and how many bytes it takes.
fn name(question: &[u8]) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut at = 0_usize;
    loop {
        let length = usize::from(*question.get(at)?);
        at = at.checked_add(1)?;
        if length == 0 {
            return Some((name, at));
        }
        // Longer ones are references, which no question needs.
        let label = (length <= 63).then(|| question.get(at..at.checked_add(length)?)).flatten()?;
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
        at = at.checked_add(length)?;
    }
}

fn address(name: &str) -> Ipv4Addr {
    match name {
        "metadata.google.internal" | "metadata" => METADATA,
        _ => Ipv4Addr::LOCALHOST,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A question with id 7, recursion desired, for records of a kind.
    fn question(name: &str, kind: u8) -> Vec<u8> {
        let mut query = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.extend_from_slice(&[0, 0, kind, 0, 1]);
        query
    }

    #[rstest]
    #[case::an_api("iamcredentials.googleapis.com", [127, 0, 0, 1])]
    #[case::a_service("orders-txigsvlwt2-uc.a.run.app", [127, 0, 0, 1])]
    #[case::the_metadata_server("Metadata.Google.Internal", [169, 254, 169, 254])]
    fn every_name_has_an_address(#[case] name: &str, #[case] address: [u8; 4]) {
        let query = question(name, 1);
        let answer = answer(&query).unwrap();
        assert_eq!(answer[..12], [0, 7, 0b1000_0101, 0b1000_0000, 0, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(answer[12..query.len()], query[12..]);
        assert_eq!(answer[answer.len() - 6..], [&[0, 4], &address[..]].concat());
    }

    #[test]
    fn no_other_records_are_known() {
        let answer = answer(&question("sts.googleapis.com", 28)).unwrap();
        assert_eq!(answer[6..8], [0, 0], "answers");
        assert_eq!(answer[3] & 0b1111, 0, "no error");
    }

    #[rstest]
    #[case::empty(vec![])]
    #[case::a_head_alone(vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])]
    #[case::a_response(vec![0, 7, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1])]
    #[case::two_questions(vec![0, 7, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1])]
    #[case::a_name_cut_short(vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, b'a'])]
    #[case::a_reference(vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1])]
    #[case::no_kind(vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0])]
    fn what_is_no_question_has_no_answer(#[case] query: Vec<u8>) {
        assert_eq!(answer(&query), None);
    }
}

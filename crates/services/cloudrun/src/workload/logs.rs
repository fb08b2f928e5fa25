//! What an instance writes: the newest lines, within bounds.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::front::redact::redact;

/// Bytes of all lines together.
const KEPT: usize = 64 << 10;
/// Bytes of one line; what is longer is cut into several.
const LINE: usize = 4 << 10;

/// The newest lines that instances of a workload have written: 64 KiB at most, lines of 4 KiB, without tokens. A clone is
/// the same one.
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Logs {
    /// Adds a line without tokens; the oldest go when there is too much.
    fn add(&self, line: &[u8]) {
        let line = redact(String::from_utf8_lossy(line).trim_end_matches('\r'));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += line.len() + 1;
        kept.lines.push_back(line);
        while kept.bytes > KEPT {
            let Some(oldest) = kept.lines.pop_front() else { return };
            kept.bytes -= oldest.len() + 1;
        }
    }

    /// The lines, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lines.iter().cloned().collect()
    }

    /// The last few lines in one.
    #[must_use]
    pub fn tail(&self) -> String {
        let lines = self.lines();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join(" | ")
    }

    /// Reads an output to its end.
    pub async fn read(self, mut output: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; LINE];
        let mut line = Vec::new();
        while let Ok(count @ 1..) = output.read(&mut chunk).await {
            for byte in chunk.get(..count).unwrap_or_default() {
                if *byte != b'\n' {
                    line.push(*byte);
                }
                if *byte == b'\n' || line.len() >= LINE {
                    self.add(&line);
                    line.clear();
                }
            }
        }
        if !line.is_empty() {
            self.add(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_without_their_ends() {
        let logs = Logs::default();
        logs.clone().read(&b"one\r\ntwo\n\nlast"[..]).await;
        assert_eq!(logs.lines(), ["one", "two", "", "last"]);
        assert_eq!(logs.tail(), "one | two |  | last");
    }

    #[tokio::test]
    async fn the_oldest_lines_go_and_a_line_without_end_is_cut() {
        let logs = Logs::default();
        logs.clone().read(tokio::io::repeat(b'x').take(1 << 20)).await;
        let lines = logs.lines();
        assert!(lines.iter().all(|line| line.len() == LINE));
        assert_eq!(lines.len(), KEPT / (LINE + 1));
    }
}

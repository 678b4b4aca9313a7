//! Whether an accept queue was overrun: a SYN's retry of a second would be in the latencies.

/// The number of times that any accept queue of this network namespace was overrun since it
/// began (TcpExt ListenOverflows, /proc/net/netstat); `None` where the system does not tell.
pub fn count() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut columns = names.split_whitespace().zip(values.split_whitespace());
    columns.find(|(name, _)| *name == "ListenOverflows")?.1.parse().ok()
}

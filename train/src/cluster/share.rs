//! Exchanges of values, numbers and bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ClusterError;
use super::interface::{Cluster, Message};

/// Returns the value of every rank.
pub fn gather<T: Serialize + DeserializeOwned>(
    cluster: &dyn Cluster,
    value: &T,
) -> Result<Vec<T>, ClusterError> {
    let unreadable = |rank, error: serde_json::Error| ClusterError::Unreadable {
        rank,
        reason: error.to_string(),
    };
    let bytes = serde_json::to_vec(value).map_err(|error| unreadable(cluster.rank(), error))?;
    let messages = cluster.exchange(vec![bytes.into(); cluster.ranks()])?;
    let parse = |(rank, message): (usize, Message)| {
        serde_json::from_slice(&message).map_err(|error| unreadable(rank, error))
    };
    messages.into_iter().enumerate().map(parse).collect()
}

/// Returns the bytes of rank 0. The other ranks give none.
///
/// # Errors
///
/// [`ClusterError`] when the exchange fails.
pub fn broadcast(cluster: &dyn Cluster, bytes: Vec<u8>) -> Result<Message, ClusterError> {
    let messages = match cluster.rank() {
        0 => vec![bytes.into(); cluster.ranks()],
        _ => vec![Message::default(); cluster.ranks()],
    };
    let mut messages = cluster.exchange(messages)?;
    Ok(messages.swap_remove(0))
}

/// Checks that the values of all ranks are those of rank 0. Each value has the name of its property.
///
/// # Errors
///
/// [`ClusterError::Mismatch`] names the first property that differs and the rank.
pub fn check_equal(
    cluster: &dyn Cluster,
    properties: &[(&'static str, String)],
) -> Result<(), ClusterError> {
    let own: Vec<String> = properties.iter().map(|(_, value)| value.clone()).collect();
    let by_rank = gather(cluster, &own)?;
    for (rank, values) in by_rank.iter().enumerate() {
        for ((property, _), (found, expected)) in
            properties.iter().zip(values.iter().zip(&by_rank[0]))
        {
            if found != expected {
                let short = |value: &String| value.chars().take(40).collect();
                return Err(ClusterError::Mismatch {
                    property,
                    rank,
                    found: short(found),
                    expected: short(expected),
                });
            }
        }
    }
    Ok(())
}

/// Returns the numbers of every rank, by rank.
pub fn gather_numbers(
    cluster: &dyn Cluster,
    numbers: &[u64],
) -> Result<Vec<Vec<u64>>, ClusterError> {
    let bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let messages = cluster.exchange(vec![bytes.into(); cluster.ranks()])?;
    let parse = |message: Message| {
        let (numbers, _) = message.as_chunks();
        numbers
            .iter()
            .map(|&bytes| u64::from_le_bytes(bytes))
            .collect()
    };
    Ok(messages.into_iter().map(parse).collect())
}

/// Whether `value` is true on any rank.
pub fn any(cluster: &dyn Cluster, value: bool) -> Result<bool, ClusterError> {
    let values = gather_numbers(cluster, &[u64::from(value)])?;
    Ok(values.iter().flatten().any(|&value| value != 0))
}

//! Exchanges of values that serde can write.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Cluster, ClusterError};

/// Returns the value of every rank.
pub fn gather<T: Serialize + DeserializeOwned>(
    cluster: &dyn Cluster,
    value: &T,
) -> Result<Vec<T>, ClusterError> {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let messages = cluster.exchange(vec![bytes; cluster.ranks()])?;
    let parse = |(rank, message): (usize, Vec<u8>)| {
        serde_json::from_slice(&message).map_err(|_| ClusterError::Message {
            rank,
            found: message.len(),
            expected: message.len(),
        })
    };
    messages.into_iter().enumerate().map(parse).collect()
}

/// Returns the bytes of rank 0. The other ranks give none.
pub fn share(cluster: &dyn Cluster, bytes: Vec<u8>) -> Result<Vec<u8>, ClusterError> {
    let mut messages = vec![Vec::new(); cluster.ranks()];
    if cluster.rank() == 0 {
        messages = vec![bytes; cluster.ranks()];
    }
    let mut messages = cluster.exchange(messages)?;
    Ok(messages.swap_remove(0))
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
    let messages = cluster.exchange(vec![bytes; cluster.ranks()])?;
    let parse = |message: Vec<u8>| {
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

/** Downloads a file; calls `progress` with the bytes received so far and the total. */
export async function download(
  address: string,
  progress: (loaded: number, total: number | null) => void,
): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok || !response.body) {
    throw new Error(`${address}: ${response.status} ${response.statusText}`);
  }
  // With a content encoding the header gives the encoded length, but the stream is decoded.
  const length = response.headers.get("content-encoding")
    ? null
    : response.headers.get("content-length");
  const total = length === null ? null : Number(length);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    loaded += value.length;
    progress(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

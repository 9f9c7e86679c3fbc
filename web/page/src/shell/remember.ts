// Choices that outlast a visit, where the browser allows it.

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`receptive.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`receptive.${key}`, value);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

// The visitor's preferences, kept in the browser's local storage.

/** Returns a stored preference, or null if there is none or storage is unavailable. */
export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(`receptive.${key}`);
  } catch {
    return null;
  }
}

/** Stores a preference; does nothing if storage is unavailable. */
export function writePreference(key: string, value: string): void {
  try {
    localStorage.setItem(`receptive.${key}`, value);
  } catch {
    // Without storage the preference lasts until the page is closed.
  }
}

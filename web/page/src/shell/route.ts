// The view that the page shows, read from the address: `#/VIEW` or `#/VIEW/DETAIL`.

import { Store, useStore } from "../state/store";

export const VIEWS = ["digit", "photo", "convolution", "networks"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  /** Rest of the address after the view: the name of a network. */
  detail: string;
}

/** Reads the route from the address; an unknown view is the first view. */
function read(): Route {
  const [view = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return {
    view: VIEWS.find((known) => known === view) ?? "digit",
    detail: rest.join("/"),
  };
}

const route = new Store<Route>(read());
addEventListener("hashchange", () => {
  route.value = read();
});

export function useRoute(): Route {
  return useStore(route);
}

/** Returns the address of a view. */
export function address(view: View, detail = ""): string {
  return detail ? `#/${view}/${detail}` : `#/${view}`;
}

import { Store, useStore } from "./store";

export const PARTS = ["digit", "photo", "convolution", "networks"] as const;
export type Part = (typeof PARTS)[number];

export interface Route {
  part: Part;
  /** What follows the part in the address: a network's name. */
  detail: string;
}

function read(): Route {
  const [part = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  return {
    part: PARTS.find((known) => known === part) ?? "digit",
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

export function address(part: Part, detail = ""): string {
  return detail ? `#/${part}/${detail}` : `#/${part}`;
}

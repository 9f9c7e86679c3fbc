import { useEffect, useRef } from "preact/hooks";
import { Convolution } from "./convolution/part";
import { Digit } from "./digit/part";
import { Networks } from "./networks/part";
import { PhotoPart } from "./photo/part";
import { address, PARTS, type Part, useRoute } from "./shell/route";
import { switchTheme, useTheme } from "./shell/theme";
import { LANGUAGES, switchLanguage, useLanguage, useText } from "./text";

const VIEWS: Record<Part, () => preact.JSX.Element> = {
  digit: Digit,
  photo: PhotoPart,
  convolution: Convolution,
  networks: Networks,
};

/** Parts that keep what was drawn or chosen in them while another one is looked at. */
const KEPT: Part[] = ["digit", "photo"];

export function App() {
  const text = useText();
  const { part, detail } = useRoute();
  const main = useRef<HTMLElement>(null);
  const arrived = useRef(false);
  const visited = useRef(new Set<Part>()).current.add(part);
  const title = detail || text[part].title;

  useEffect(() => {
    document.title = `${title} \u2013 Receptive`;
  }, [title]);

  useEffect(() => {
    // A reader who follows a link begins at the new part's beginning.
    if (arrived.current) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    arrived.current = true;
  }, [part, detail]);

  return (
    <>
      <header class="top">
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          {text.shell.skip}
        </button>
        <a class="mark" href={address("digit")}>
          Receptive
        </a>
        <nav aria-label={text.shell.parts}>
          <ul>
            {PARTS.map((one) => (
              <li key={one}>
                <a href={address(one)} aria-current={one === part ? "page" : undefined}>
                  {text[one].tab}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Switches />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {PARTS.filter((one) => one === part || (KEPT.includes(one) && visited.has(one))).map(
          (one) => {
            const View = VIEWS[one];
            return (
              <div key={one} hidden={one !== part}>
                <View />
              </div>
            );
          },
        )}
      </main>
      <footer>
        <p>{text.shell.footer}</p>
      </footer>
    </>
  );
}

function Switches() {
  const text = useText();
  const language = useLanguage();
  const theme = useTheme();
  const other = LANGUAGES.find((one) => one !== language) ?? "en";
  return (
    <div class="switches">
      <button
        type="button"
        class="button quiet"
        lang={other === "zh" ? "zh-Hans" : "en"}
        onClick={() => switchLanguage(other)}
      >
        {other === "zh" ? "中文" : "English"}
      </button>
      <button
        type="button"
        class="button quiet"
        aria-pressed={theme === "dark"}
        aria-label={text.shell.dark}
        title={text.shell.dark}
        onClick={switchTheme}
      >
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6" />
          <path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor" />
        </svg>
      </button>
    </div>
  );
}

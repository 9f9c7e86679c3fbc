import { useEffect, useRef } from "preact/hooks";
import { ConvolutionView } from "./convolution/view";
import { DigitView } from "./digit/view";
import { NetworksView } from "./networks/view";
import { PhotoView } from "./photo/view";
import { address, useRoute, VIEWS, type View } from "./shell/route";
import { switchTheme, useTheme } from "./shell/theme";
import { LANGUAGES, switchLanguage, useLanguage, useText } from "./text";

const COMPONENTS: Record<View, () => preact.JSX.Element> = {
  digit: DigitView,
  photo: PhotoView,
  convolution: ConvolutionView,
  networks: NetworksView,
};

/** Views that stay mounted while hidden, to keep the drawing or the photo. */
const KEEP_MOUNTED: View[] = ["digit", "photo"];

export function App() {
  const text = useText();
  const { view, detail } = useRoute();
  const main = useRef<HTMLElement>(null);
  const navigated = useRef(false);
  const visited = useRef(new Set<View>()).current.add(view);
  const title = detail || text[view].title;

  useEffect(() => {
    document.title = `${title} \u2013 Receptive`;
  }, [title]);

  useEffect(() => {
    // After navigation, the new view starts at the top and has the focus.
    if (navigated.current) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    navigated.current = true;
  }, [view, detail]);

  return (
    <>
      <header class="top">
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          {text.shell.skip}
        </button>
        <a class="mark" href={address("digit")}>
          Receptive
        </a>
        <nav aria-label={text.shell.views}>
          <ul>
            {VIEWS.map((name) => (
              <li key={name}>
                <a href={address(name)} aria-current={name === view ? "page" : undefined}>
                  {text[name].tab}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <Switches />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {VIEWS.filter(
          (name) => name === view || (KEEP_MOUNTED.includes(name) && visited.has(name)),
        ).map((name) => {
          const Component = COMPONENTS[name];
          return (
            <div key={name} hidden={name !== view}>
              <Component />
            </div>
          );
        })}
      </main>
      <footer>
        <p>{text.shell.footer}</p>
      </footer>
    </>
  );
}

/** Buttons that switch the language and the theme. */
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

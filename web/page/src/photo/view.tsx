import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Problem } from "../shell/problem";
import { useLanguage, useText } from "../text";
import { bytes, milliseconds, percent } from "../text/numbers";
import { StageMaps } from "./stage-maps";
import { type Photo, type Result, useClassifier } from "./use-classifier";

const SAMPLES = ["coffee.png", "chelsea.png", "rocket.jpg"];

async function fetchSample(name: string): Promise<Photo> {
  const response = await fetch(`photos/${name}`);
  if (!response.ok) throw new Error(`photos/${name}: ${response.status} ${response.statusText}`);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function readFile(file: File): Promise<Photo> {
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

/** The view in which MobileNetV2 classifies a photo. */
export function PhotoView() {
  const text = useText();
  const { stages, progress, result, busy, problem, classify, stage } = useClassifier();
  const [dragOver, setDragOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  function classifyFirst(files: FileList | null | undefined) {
    const file = files?.[0];
    if (file) classify(() => readFile(file));
  }

  return (
    <>
      <header class="lead">
        <h1>{text.photo.title}</h1>
        <p>{text.photo.lead}</p>
      </header>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does the same as dropping. */}
      <div
        class={dragOver ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setDragOver(true);
        }}
        onDragLeave={() => setDragOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setDragOver(false);
          classifyFirst(event.dataTransfer?.files);
        }}
      >
        <div>
          <button type="button" class="button" onClick={() => input.current?.click()}>
            {text.photo.choose}
          </button>
          <input
            ref={input}
            type="file"
            accept="image/*"
            hidden
            onChange={(event) => {
              classifyFirst(event.currentTarget.files);
              event.currentTarget.value = "";
            }}
          />
          <p class="hint">{text.photo.drop}</p>
        </div>
        <fieldset class="pictures">
          <legend>{text.photo.samples}</legend>
          {SAMPLES.map((name) => (
            <button
              key={name}
              type="button"
              aria-label={text.photo.sample(name.replace(/\..*/, ""))}
              onClick={() => classify(() => fetchSample(name))}
            >
              <img src={`photos/${name}`} alt="" width="96" height="72" loading="lazy" />
            </button>
          ))}
        </fieldset>
      </div>
      <Problem problem={problem} />
      {progress && <Loading {...progress} />}
      <p class="unseen" role="status">
        {busy && !progress ? text.photo.busy : ""}
      </p>
      {result && <Answer result={result} busy={busy} />}
      {result && stages.length > 0 && <StageMaps stages={stages} result={result} load={stage} />}
    </>
  );
}

function Loading({ loaded, total }: { loaded: number; total: number | null }) {
  const text = useText();
  return (
    <div class="loading">
      <label for="weights">{text.photo.loading}</label>
      <progress id="weights" {...(total === null ? {} : { value: loaded, max: total })} />
      <span class="hint">
        {total === null ? bytes(loaded) : `${bytes(loaded)} / ${bytes(total)}`}
      </span>
    </div>
  );
}

function Answer({ result: { photo, classification }, busy }: { result: Result; busy: boolean }) {
  const text = useText();
  const language = useLanguage();
  const address = useMemo(() => URL.createObjectURL(new Blob([photo.bytes as BlobPart])), [photo]);
  const best = classification.top[0];
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return (
    <section class={busy ? "verdict busy" : "verdict"} aria-labelledby="verdict">
      <img src={address} alt={photo.name} />
      <div>
        <h2 id="verdict">{text.photo.answer}</h2>
        <ol class="bars labels" lang={language === "en" ? undefined : "en"}>
          {classification.top.map(({ index, label, probability }, rank) => (
            <li key={index} class={rank === 0 ? "best" : ""}>
              <span class="name">{label}</span>
              <span class="bar">
                <span style={{ transform: `scaleX(${probability})` }} />
              </span>
              <data value={String(probability)}>{percent(probability)}</data>
            </li>
          ))}
        </ol>
        <p class="hint time" role="status">
          <span class="unseen" lang={language === "en" ? undefined : "en"}>
            {best && `${best.label}, ${percent(best.probability)}. `}
          </span>
          {text.photo.time(milliseconds(classification.milliseconds))}
        </p>
      </div>
    </section>
  );
}

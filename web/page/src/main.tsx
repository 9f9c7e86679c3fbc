import "./style/base.css";
import "./style/shell.css";
import "./style/digit.css";
import "./style/explanation.css";
import "./style/photo.css";
import "./style/convolution.css";
import "./style/networks.css";
import { render } from "preact";
import { App } from "./app";

const page = document.getElementById("page");
if (page) render(<App />, page);

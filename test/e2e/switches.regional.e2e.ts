import { switchesOf } from "./switches";

switchesOf((route) => route === "regional");

import { switchesOf } from "./switches";

switchesOf((route) => route !== "none" && route !== "management" && route !== "regional");

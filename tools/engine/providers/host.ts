import { languageRuntime } from "../languageHost";
import { listen } from "./server";

// A language host that runs nothing: `pulumi import` starts the project's before anything else.
void listen(languageRuntime());

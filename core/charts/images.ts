import * as fs from "node:fs";
import * as path from "node:path";

/** The container images of one KOF version, as data. Written by `npm run catalog -- --images DIR`; never edited by hand. */
export interface Images {
    readonly generatedBy: string;
    /** KOF's version. */
    readonly version: string;
    /** Per chart the images that its objects name. */
    readonly charts: Readonly<Record<string, ChartImages>>;
    /** The charts that KCM's ServiceTemplates of kof-mothership install, on child and regional clusters and on this one. */
    readonly services: readonly ServiceChart[];
}

/** A chart that a ServiceTemplate installs. */
export interface ServiceChart {
    readonly chart: string;
    readonly version: string;
    /** URL of its repository; empty for that of KOF's own charts. */
    readonly repository: string;
}

/** The images of one chart. */
export interface ChartImages {
    readonly version: string;
    readonly images: readonly ChartImage[];
    /** Dependencies that were not there when the catalog was made, so that their images are not known. */
    readonly absent: readonly string[];
}

/** An image that a chart's objects name. */
export interface ChartImage {
    /** Complete, registry and tag included: `docker.io/victoriametrics/operator:v0.67.0`. */
    readonly image: string;
    /** Switches in the chart's values. The image is needed only if all of them are on. */
    readonly when: readonly (readonly string[])[];
}

/** The images of a KOF version. */
export function imagesOf(version: string): Images {
    return JSON.parse(fs.readFileSync(imagesFile(version), "utf8")) as Images;
}

/** The file that holds, or is to hold, the images of a KOF version. */
export function imagesFile(version: string): string {
    return path.join(__dirname, "images", `${version}.json`);
}

// Mermaid is an ES module for browsers: its parser wants a sanitizer, which in turn wants a document.
// @ts-check
import DOMPurify from "dompurify";
import mermaid from "mermaid";

Object.assign(DOMPurify, { addHook: () => undefined, sanitize: (/** @type {string} */ text) => text });

/**
 * What a flowchart holds.
 *
 * @typedef {{ id: string, text: string, type: string, classes: string[] }} Node
 * @typedef {{ start: string, end: string, text: string, type: string, stroke: string }} Link
 * @typedef {{ nodes: Node[], links: Link[], groups: { title: string, nodes: string[] }[] }} Chart
 */

/**
 * What a chart of lines holds: its axes, and of each line its title and the points, as pairs of what is on them.
 *
 * @typedef {{ plots: { type: string, title: string, data: [string, number][] }[], xAxis: Axis, yAxis: Axis }} Lines
 * @typedef {{ title: string, min: number, max: number }} Axis
 */

/**
 * Parses a chart of lines with Mermaid's own parser.
 *
 * @param {string} text
 * @returns {Promise<Lines>}
 * @throws Error with Mermaid's own complaint.
 */
export async function lineChart(text) {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    return /** @type {any} */ (db).getXYChartData();
}

/**
 * Parses a flowchart with Mermaid's own parser.
 *
 * @param {string} text
 * @returns {Promise<Chart>}
 * @throws Error with Mermaid's own complaint.
 */
export async function flowchart(text) {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const found = /** @type {any} */ (db);
    return { nodes: [...found.getVertices().values()], links: found.getEdges(), groups: found.getSubGraphs() };
}

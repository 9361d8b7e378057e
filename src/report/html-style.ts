/** Rows of a table, and breaks with their records, that are printed: paper has no end. */
export const PRINTED = 12;
export const PRINTED_RAW = 3;

const light = `--ground: #fdfdfb; --raised: #f4f4f0; --ink: #1c2126;
  --quiet: #5a636c; --rule: #dcdcd5; --strong: #8a9199; --good: #1d6140; --good-ground: #e8f2ec;
  --bad: #98201f; --bad-ground: #fbecea; --warn: #75480a; --warn-ground: #fbf2df; --bar: #24507f;
  --rise: #7c9cbe; --fall: #b3895a; --link: #24507f;`;
const dark = `--ground: #15181b; --raised: #1d2125; --ink: #e6e8ea;
  --quiet: #a4adb6; --rule: #343b42; --strong: #6d7780; --good: #86d3a6; --good-ground: #16291f;
  --bad: #f6a19c; --bad-ground: #371c1c; --warn: #e9c37a; --warn-ground: #31270f; --bar: #86b0de;
  --rise: #53769c; --fall: #b08a5c; --link: #9cc1ea;`;

/**
 * The page's whole style. It may hold no ampersand or less-than sign. Colours of text keep a
 * contrast of 4.5 or more on their grounds, in both schemes.
 */
export const style = `
:root { color-scheme: light; ${light} }
:root[data-theme=dark] { color-scheme: dark; ${dark} }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { color-scheme: dark; ${dark} } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif; }
main, header, footer { max-width: 78rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.25rem; }
h1, h2 { font-family: Charter, Iowan Old Style, Georgia, Cambria, serif; font-weight: 600;
  letter-spacing: -.005em; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .35rem; }
h2 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .35rem; }
h3 { font-size: .8125rem; margin: 0 0 .35rem; color: var(--quiet); font-weight: 600; }
section { margin-top: 2.75rem; padding-top: 1.25rem; border-top: 1px solid var(--strong); }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible,
summary:focus-visible, .scroll:focus-visible, figure:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.quiet { color: var(--quiet); }
.faint { color: var(--quiet); font-weight: 300; }
.small { font-size: .8125rem; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: .2rem; font-size: .8125rem;
  font-weight: 600; white-space: nowrap;
  font-family: system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif;
  letter-spacing: 0; }
h1 .badge { vertical-align: .3rem; margin-left: .5rem; border: 1px solid currentColor; }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.warn { color: var(--warn); background: var(--warn-ground); }
.answer { margin: 1.5rem 0 0; padding: .9rem 1.1rem; border-left: .25rem solid currentColor; }
.answer p { margin: 0; max-width: none; font-size: 1.3125rem; line-height: 1.35; font-weight: 600;
  overflow-wrap: anywhere; }
.answer ul { margin: .4rem 0 0; padding-left: 1.1rem; color: var(--ink); overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; margin: 1.5rem 0; border-bottom: 1px solid var(--rule);
  border-top: 1px solid var(--rule); }
.tile { padding: .8rem 1.25rem .8rem 0; margin-right: 1.25rem; flex: 1 1 9.5rem; max-width: 100%; }
.tile dt { color: var(--quiet); font-size: .8125rem; }
.tile dd { margin: 0; }
.tile .figure { font-size: 1.3125rem; font-weight: 600; line-height: 1.35; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.tile .small { max-width: 18rem; }
.tile .good, .tile .bad, .tile .warn { background: none; }
.sentences { margin: 0 0 1rem; padding-left: 1.1rem; max-width: 50rem; }
.sentences li { margin: .25rem 0; }
nav { margin: 1.25rem 0 0; font-size: .875rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; padding: 0; margin: 0; }
button, input, select { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--strong); border-radius: .2rem; padding: .2rem .55rem; min-height: 1.9rem; }
button { cursor: pointer; }
button:hover { background: var(--raised); }
.theme { margin-top: .75rem; font-size: .8125rem; color: var(--quiet); }
.tools { display: flex; flex-wrap: wrap; gap: .4rem .6rem; align-items: center; font-size: .8125rem;
  margin: 1rem 0 0; justify-content: space-between; }
.filters { display: flex; flex-wrap: wrap; gap: .4rem .5rem; align-items: center; }
.filter { display: inline-flex; gap: .4rem; align-items: center; margin-right: .5rem; }
.filter label { color: var(--quiet); }
.filters select { max-width: 14rem; }
.filters input { width: 11rem; }
.save { margin-left: auto; }
.count { color: var(--quiet); font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: .5rem 0 .25rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; padding: .35rem 0; color: var(--quiet); font-size: .8125rem; }
th, td { padding: .4rem .9rem .4rem 0; text-align: left; vertical-align: top;
  border-top: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-weight: 600; white-space: nowrap; border-top: 0; vertical-align: bottom;
  border-bottom: 1px solid var(--strong); font-size: .8125rem; }
thead th.number { white-space: normal; min-width: 3.5rem; }
tbody tr:first-child th, tbody tr:first-child td { border-top: 0; }
tbody th { font-weight: 500; }
th.number, td.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums lining-nums; }
.sort { border: 0; padding: 0; min-height: 0; background: none; font: inherit; text-align: inherit; }
[aria-sort=ascending] .sort::after, [aria-sort=descending] .sort::after { content: "";
  display: inline-block; width: 0; height: 0; margin-left: .3rem; border: .27rem solid transparent; vertical-align: .05rem; }
[aria-sort=ascending] .sort::after { border-bottom-color: currentColor; vertical-align: .25rem; }
[aria-sort=descending] .sort::after { border-top-color: currentColor; vertical-align: -.1rem; }
.sort:hover { text-decoration: underline; background: none; }
td.text { min-width: 15rem; overflow-wrap: anywhere; }
td.name, th.name { min-width: 10rem; max-width: 22rem; overflow-wrap: anywhere; }
td.break-all { overflow-wrap: anywhere; min-width: 16rem; }
tr.attention td, tr.attention th { background: var(--bad-ground); }
code { font: .92em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code.code { white-space: nowrap; }
.parts { list-style: none; margin: 0; padding: 0; color: var(--quiet); font-size: .93em; }
td .badge { font-size: .93em; }
td .small, th .small { font-size: .93em; }
.parts li { display: flex; gap: 1rem; justify-content: space-between; }
.note { border-left: 2px solid var(--rule); padding-left: .5rem; margin-top: .3rem; }
svg.bar { display: block; width: 8rem; height: .5rem; margin-top: .35rem; }
svg.bar rect { fill: var(--bar); }
.charts { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1rem 0; }
figure { margin: 0; flex: 1 1 26rem; max-width: 37rem; min-width: 0; overflow-x: auto; }
figcaption { font-size: .8125rem; font-weight: 600; margin-bottom: .35rem; }
.chart svg { display: block; width: 100%; min-width: 26rem; height: auto; }
.chart text { font-size: 12px; font-family: system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial,
  sans-serif; font-variant-numeric: tabular-nums; }
details.raw { border-top: 1px solid var(--rule); }
summary { cursor: pointer; padding: .45rem 0; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem 2rem; padding: .25rem 0 1.25rem 1rem; }
.sides .wide { grid-column: 1 / -1; max-width: none; }
.record { border-left: 2px solid var(--rule); padding-left: .75rem; margin-bottom: .75rem; }
.record dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .25rem 0 0;
  font-size: .8125rem; }
.record dt { color: var(--quiet); }
.record dd { margin: 0; overflow-wrap: anywhere; }
footer { padding-top: 2.5rem; padding-bottom: 3rem; }
@media (max-width: 40rem) { body { font-size: 14px; } h1 { font-size: 1.5rem; }
  main, header, footer { padding-left: 1rem; padding-right: 1rem; }
  .tile { flex-basis: 7.5rem; padding: .55rem .5rem .55rem 0; margin-right: .5rem; }
  .tile .figure { font-size: 1.0625rem; } .answer p { font-size: 1.125rem; }
  .sides { grid-template-columns: 1fr; padding-left: 0; } .filters { width: 100%; }
  section { margin-top: 2rem; } }
.printed { display: none; }
@media print { :root, :root[data-theme=dark], :root:not([data-theme=light]) { color-scheme: light;
  ${light} --ground: #ffffff; --ink: #000000; --quiet: #444444; }
  @page { size: A4 landscape; margin: 10mm; }
  body { font-size: 9.5pt; } main, header, footer { max-width: none; padding: 0; }
  .printed { display: block; } .shown { display: none; }
  .long tbody tr:nth-child(n + ${PRINTED + 1} of :not([hidden])),
  details.raw:nth-of-type(n + ${PRINTED_RAW + 1}) { display: none; }
  nav, .tools, .theme { display: none; } .sort::after { display: none; }
  section { margin-top: .9rem; padding-top: .5rem; }
  .scroll, figure { overflow: visible; } table { font-size: 7pt; }
  th, td { padding: .12rem .4rem .12rem 0; } thead th { white-space: normal; font-size: 7.5pt; }
  td.text, td.name, th.name, td.break-all { min-width: 0; overflow-wrap: anywhere; }
  thead { display: table-header-group; } tr, .tile, figure, .record { break-inside: avoid; }
  h2, h3, summary, caption { break-after: avoid; } details::details-content { content-visibility: visible;
  height: auto; } svg.bar { width: 3rem; } figure { flex: 0 1 23%; } .chart svg { min-width: 0; }
  .record dl { grid-template-columns: max-content 1fr max-content 1fr; font-size: 7pt; }
  p { max-width: none; } .charts, .sides { margin: .25rem 0; padding: 0; gap: .5rem 1.5rem; }
  a { color: inherit; text-decoration: none; } .badge { border: 1px solid currentColor; } }
`;

/**
 * The page's whole style. It is written as escaped text, so it may hold no quote, ampersand or
 * less-than sign. Colours keep a contrast of 4.5 or more on their grounds, in both schemes.
 */
export const style = `
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f5f7f9; --ink: #1a1d21;
  --quiet: #55606b; --rule: #d5dae0; --good: #0b6136; --good-ground: #e4f4ea; --bad: #9c151d;
  --bad-ground: #fde9e9; --warn: #704400; --warn-ground: #fff1d6; --bar: #3b6fb5; --link: #1f56a0; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --raised: #1d2125; --ink: #e8eaed;
  --quiet: #a9b2bc; --rule: #3a424b; --good: #7ddba3; --good-ground: #12301f; --bad: #ff9d9d;
  --bad-ground: #3d181b; --warn: #f3c66d; --warn-ground: #352709; --bar: #6fa3e8; --link: #8fbcf7; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif; }
main, header, footer { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 50rem; }
a { color: var(--link); }
.quiet { color: var(--quiet); }
.small { font-size: .8125rem; }
.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .8125rem;
  font-weight: 600; white-space: nowrap; border: 1px solid currentColor; }
h1 .badge { vertical-align: .2rem; margin-left: .5rem; }
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.warn { color: var(--warn); background: var(--warn-ground); }
.answer { margin: 1.25rem 0 0; padding: .75rem 1rem; border-left: .375rem solid currentColor;
  border-radius: .25rem; }
.answer p { margin: 0; max-width: none; font-size: 1.375rem; line-height: 1.35; font-weight: 600;
  overflow-wrap: anywhere; }
.answer ul { margin: .35rem 0 0; padding-left: 1.1rem; color: var(--ink); overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.tile { border: 1px solid var(--rule); border-radius: .5rem; background: var(--raised);
  padding: .75rem 1rem; flex: 1 1 11rem; max-width: 100%; }
.tile dt { color: var(--quiet); font-size: .8125rem; }
.tile dd { margin: 0; }
.tile .figure { font-size: 1.375rem; font-weight: 600; line-height: 1.3; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.tile .small { max-width: 18rem; }
.tile .good, .tile .bad, .tile .warn { background: none; }
.sentences { margin: 0 0 1rem; padding-left: 1.25rem; max-width: 50rem; font-size: 1.0625rem; }
.sentences li { margin: .3rem 0; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0;
  margin: 1rem 0 0; font-size: .875rem; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: .5rem;
  margin: .5rem 0 .25rem; }
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; padding: .5rem .75rem; color: var(--quiet); font-size: .8125rem; }
th, td { padding: .4rem .75rem; text-align: left; vertical-align: top;
  border-top: 1px solid var(--rule); }
thead th { background: var(--raised); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; }
th.number, td.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
td.text { min-width: 14rem; overflow-wrap: anywhere; }
td.name, th.name { min-width: 11rem; max-width: 22rem; overflow-wrap: anywhere; }
td.break-all { overflow-wrap: anywhere; min-width: 16rem; }
tr.attention td, tr.attention th { background: var(--bad-ground); }
code { font: .93em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code.code { white-space: nowrap; }
.parts { list-style: none; margin: .15rem 0 0; padding: 0; color: var(--quiet);
  font-size: .86em; }
td .badge { font-size: .93em; }
td .small, th .small { font-size: .93em; }
.parts li { display: flex; gap: .75rem; justify-content: space-between; }
svg.bar { display: block; width: 8rem; height: .625rem; margin-top: .35rem; }
svg.bar rect { fill: var(--bar); }
footer { padding-top: 2rem; padding-bottom: 3rem; }
@media (max-width: 40rem) { body { font-size: 14px; } h1 { font-size: 1.375rem; }
  main, header, footer { padding-left: .875rem; padding-right: .875rem; }
  .tiles { gap: .5rem; } .tile { padding: .6rem .7rem; flex-basis: 9rem; }
  .tile .figure { font-size: 1.0625rem; } .sentences { font-size: 1rem; }
  .answer p { font-size: 1.125rem; } }
@media print { :root { color-scheme: light; --ground: #ffffff; --raised: #f5f7f9; --ink: #000000;
  --quiet: #444444; --rule: #bbbbbb; --good: #0b6136; --bad: #9c151d; --warn: #704400; }
  @page { size: A4 landscape; margin: 12mm; }
  body { font-size: 9.5pt; } main, header, footer { max-width: none; padding: 0; } nav { display: none; }
  .scroll { overflow: visible; border: 0; } table { font-size: 7.5pt; }
  th, td { padding: .2rem .4rem; } thead th { white-space: normal; }
  td.text, td.name, th.name, td.break-all { min-width: 0; overflow-wrap: anywhere; }
  thead { display: table-header-group; } tr, .tile { break-inside: avoid; } h2 { break-after: avoid; }
  svg.bar { width: 3rem; } }
`;

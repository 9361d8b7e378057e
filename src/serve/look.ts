import { createHash } from 'node:crypto';
import { style as reportStyle } from '../report/html-style.ts';

/** What the pages have beside the report: forms, a list to work through, and paths. */
const own = `
header.site { border-bottom: 1px solid var(--rule); background: var(--raised); max-width: none;
  padding: 0; }
header.site .inner { max-width: 76rem; margin: 0 auto; padding: .6rem 1.25rem; display: flex;
  flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; }
header.site .mark { font-weight: 700; color: var(--ink); text-decoration: none; }
header.site nav ul { margin: 0; }
header.site .who { margin-left: auto; font-size: .875rem; color: var(--quiet); display: flex;
  gap: .5rem; align-items: baseline; flex-wrap: wrap; }
main { padding-top: 1.5rem; padding-bottom: 4rem; }
main > h1 { overflow-wrap: anywhere; }
.message { margin: 0 0 1.25rem; padding: .6rem 1rem; border-left: .375rem solid currentColor;
  border-radius: .25rem; }
.message p { margin: 0; }
form.inline { display: inline; }
form.bar { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; margin: 1rem 0; }
form.work, .work { border: 1px solid var(--rule); border-radius: .5rem; background: var(--raised);
  padding: .75rem 1rem; margin: .75rem 0; }
.fields { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; }
.fields label.wide { flex: 1 1 18rem; }
label { display: block; font-size: .8125rem; color: var(--quiet); }
label.check { display: inline-flex; align-items: center; min-width: 1.75rem; min-height: 1.75rem; }
input, select, textarea, button { font: inherit; font-size: .9375rem; color: var(--ink);
  background: var(--ground); border: 1px solid var(--quiet); border-radius: .375rem;
  padding: .35rem .55rem; max-width: 100%; min-height: 2.25rem; }
label input, label select, label textarea { display: block; width: 100%; margin-top: .15rem; }
label.check input { width: 1.05rem; height: 1.05rem; min-height: 0; margin: 0; }
p { overflow-wrap: anywhere; }
h1 code { font-weight: 600; font-size: .9em; }
button { cursor: pointer; background: var(--ground); font-weight: 600; }
button.main { background: var(--link); border-color: var(--link); color: var(--ground); }
html { scroll-padding-bottom: 10rem; }
.whole { white-space: nowrap; }
summary { cursor: pointer; }
.who details[open] form { margin-top: .35rem; }
.side > h2 { margin-top: 0; }
.work.sticky { position: sticky; bottom: 0; box-shadow: 0 -.25rem 1rem -.5rem var(--quiet); }
.sides { margin-top: .75rem; }
.sides dl.facts { margin-top: 0; }
:is(a, input, select, textarea, button):focus-visible { outline: 2px solid var(--link);
  outline-offset: 2px; }
.pages { display: flex; gap: 1rem; align-items: baseline; margin: .75rem 0; flex-wrap: wrap; }
dl.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1.25rem;
  margin: .75rem 0 1.25rem; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.side { min-width: 0; }
.side h3 { margin: .5rem 0; font-size: 1rem; }
.record { border: 1px solid var(--rule); border-radius: .5rem; padding: .5rem .75rem;
  margin: 0 0 .75rem; font-size: .875rem; }
.record dl.facts { margin: .35rem 0 0; gap: .1rem 1rem; }
ol.notes { list-style: none; padding: 0; margin: .5rem 0 1rem; }
ol.notes li { border-left: .1875rem solid var(--rule); padding: .1rem 0 .1rem .85rem;
  margin: 0 0 .6rem; overflow-wrap: anywhere; }
pre { border: 1px solid var(--rule); border-radius: .5rem; background: var(--raised);
  padding: .75rem 1rem; overflow-x: auto; font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo,
  Consolas, monospace; }
th a.sort { color: inherit; text-decoration: none; }
th a.sort:hover { text-decoration: underline; }
th[aria-sort] a.sort::after { content: ' \\25BE'; }
td .more { white-space: nowrap; }
tr.picked td, tr.picked th { background: var(--raised); }
td.tight, th.tight { padding-right: 0; width: 2rem; }
@media (max-width: 40rem) {
  header.site .inner { padding: .5rem .875rem; }
  header.site .who { margin-left: 0; }
  .sides { grid-template-columns: 1fr; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .5rem; }
  form.bar label { flex: 1 1 8rem; }
  .work.sticky { position: static; box-shadow: none; }
  .record dl.facts { grid-template-columns: minmax(6rem, max-content) 1fr; }
  .record dl.facts dd { margin: 0; }
  table.cards thead { display: none; }
  table.cards tr { display: grid; grid-template-columns: 2rem 1fr; padding: .5rem 0;
    border-top: 1px solid var(--rule); }
  table.cards td, table.cards th { border: 0; padding: .1rem .75rem; grid-column: 2;
    text-align: left; max-width: none; min-width: 0; white-space: normal; }
  table.cards tr { position: relative; }
  table.cards td.state { position: absolute; right: 0; top: .5rem; }
  table.cards td.tight { grid-column: 1; grid-row: 1; padding-left: .5rem; }
  table.cards td[data-label]::before { content: attr(data-label) ' '; color: var(--quiet); }
}
@media print { header.site, form, .work, .pages { display: none; } }
`;

/** All of the style of a page. */
export const style = `${reportStyle}${own}`;

/** Ticks all breaks of a page, and counts those that are ticked. Without it everything works too. */
export const script = `
(() => {
  const all = document.getElementById('pick-all');
  if (!all) return;
  const picks = [...document.querySelectorAll('input[name=pick]')];
  const count = document.getElementById('picked');
  const show = () => {
    const picked = picks.filter((pick) => pick.checked).length;
    for (const pick of picks) pick.closest('tr').classList.toggle('picked', pick.checked);
    all.checked = picked > 0 && picked === picks.length;
    all.indeterminate = picked > 0 && picked < picks.length;
    count.textContent = picked + ' of ' + picks.length + ' selected';
  };
  all.hidden = false;
  all.addEventListener('change', () => {
    for (const pick of picks) pick.checked = all.checked;
    show();
  });
  for (const pick of picks) pick.addEventListener('change', show);
  show();
})();
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** What a page may do: run this script, look like this, and send forms to its own site. */
export const policy = [
    ...["default-src 'none'", `script-src ${hashOf(script)}`, `style-src ${hashOf(style)}`],
    ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

/**
 * What a report of a run may do. It is a page of another author: in a sandbox it has no part in the
 * session, and its own policy says which of its scripts may run.
 */
export const reportPolicy = [
    ...['sandbox allow-scripts allow-downloads allow-modals', "default-src 'none'"],
    ...["script-src 'unsafe-inline'", "style-src 'unsafe-inline'", 'img-src data: blob:'],
    ...["form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

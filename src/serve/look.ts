import { createHash } from 'node:crypto';
import { style as reportStyle } from '../report/html-style.ts';

/** What the pages have beside the report: forms, a list to work through, and paths. */
const own = `
html { scroll-padding-bottom: 10rem; }
header.site { max-width: none; padding: 0; border-bottom: 1px solid var(--strong);
  background: var(--raised); }
header.site .inner { max-width: 78rem; margin: 0 auto; padding: .6rem 1.5rem; display: flex;
  flex-wrap: wrap; gap: .25rem 1.25rem; align-items: baseline; }
header.site .mark { font: 600 1.125rem/1.3 Charter, Iowan Old Style, Georgia, Cambria, serif;
  color: var(--ink); text-decoration: none; }
header.site nav { margin: 0; }
header.site .who { margin-left: auto; font-size: .875rem; color: var(--quiet); }
header.site summary { padding: 0; }
.who details[open] form { margin: .35rem 0 .25rem; }
main { padding-top: 1.75rem; padding-bottom: 4rem; }
h1, p { overflow-wrap: anywhere; }
h1 code { font: 600 .78em/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
a:has(code) { text-underline-offset: .3em; }
.whole { white-space: nowrap; }
.message { margin: 0 0 1.25rem; padding: .6rem 1rem; border-left: .25rem solid currentColor; }
.message p { margin: 0; }
form.bar { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; margin: 1rem 0; }
.work { border: 1px solid var(--rule); background: var(--raised); padding: .75rem 1rem;
  margin: .75rem 0; }
.work.sticky { position: sticky; bottom: 0; border-top: 1px solid var(--strong); }
.fields { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: end; }
.fields label.wide { flex: 1 1 18rem; }
label { display: block; font-size: .8125rem; color: var(--quiet); }
input, select, button { min-height: 2.25rem; max-width: 100%; font-size: .9375rem; color: var(--ink); }
label input, label select { display: block; width: 100%; margin-top: .15rem; }
label.check { display: inline-flex; align-items: center; min-width: 1.75rem; min-height: 1.75rem; }
label.check input { width: 1.05rem; height: 1.05rem; min-height: 0; margin: 0; }
button { font-weight: 600; }
button.main { background: var(--link); border-color: var(--link); color: var(--ground); }
.pages { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
dl.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1.25rem;
  margin: .75rem 0 1.25rem; }
dl.facts dt { color: var(--quiet); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.sides { padding: .75rem 0 0; }
.side { min-width: 0; }
.side dl.facts { margin-top: 0; }
.record dl.facts { grid-template-columns: minmax(6rem, max-content) 1fr; gap: 0 1rem;
  margin: .25rem 0 0; }
ol.notes { list-style: none; padding: 0; margin: .5rem 0 1rem; }
ol.notes li { border-left: 2px solid var(--rule); padding-left: .75rem; margin: 0 0 .6rem;
  overflow-wrap: anywhere; }
pre { border: 1px solid var(--rule); background: var(--raised); padding: .75rem 1rem;
  overflow-x: auto; font: .8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
th a.sort { color: inherit; text-decoration: none; }
tr.picked td, tr.picked th { background: var(--raised); }
td.tight, th.tight { padding-right: 0; width: 2rem; }
@media (max-width: 40rem), (max-height: 40rem) { .work.sticky { position: static; } }
@media (max-width: 40rem) {
  header.site .inner { padding: .5rem 1rem; }
  header.site .who { margin-left: 0; }
  dl.facts { gap: .2rem 1rem; }
  form.bar label { flex: 1 1 8rem; }
  table.cards thead { display: none; }
  table.cards tr { display: grid; grid-template-columns: 2rem 1fr; padding: .6rem 0;
    border-top: 1px solid var(--rule); position: relative; }
  table.cards td, table.cards th { border: 0; padding: .05rem 0; grid-column: 2;
    text-align: left; max-width: none; min-width: 0; white-space: normal; }
  table.cards td.state { position: absolute; right: 0; top: .6rem; }
  table.cards td.tight { grid-column: 1; grid-row: 1; }
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

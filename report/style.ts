/** The page's style sheet. */
export const style = `
:root { color-scheme: light dark; --text: #1c2128; --quiet: #5b6472; --line: #d9dde3; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e8eb; --quiet: #9aa4b2; --line: #343a44; --page: #16191e; } }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: .95rem; margin: 1.2rem 0 .3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; font-weight: normal; }
thead th { color: var(--quiet); } tbody th, thead th:first-child { text-align: left; }
.warning { border-left: 3px solid #d6392c; padding-left: .7rem; } .note, figcaption { color: var(--quiet); font-size: .85rem; }
svg { width: 100%; max-width: 40rem; } svg polyline { fill: none; stroke-width: 2; } svg .grid { stroke: var(--line); }
svg text { fill: var(--quiet); font-size: 11px; }
.names { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
.names i { display: inline-block; width: 1.4rem; border-top: .2rem solid; margin-right: .4rem; vertical-align: middle; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; }
figure { margin: 0; max-width: 22rem; } img { width: 100%; border-radius: 4px; display: block; }
.legend { display: flex; align-items: center; gap: .5rem; color: var(--quiet); font-size: .85rem; flex-wrap: wrap; }
.legend i { width: 12rem; height: .7rem; border-radius: 3px; } .legend b { width: 1rem; height: .7rem; background: rgb(128 130 134); margin-left: 1rem; }
.text { text-align: left; } .date { white-space: nowrap; } details { margin: .8rem 0; } summary { cursor: pointer; color: var(--quiet); }
pre { overflow-x: auto; font-size: .8rem; } code { font-size: .8rem; }
#heads canvas { width: 100%; height: min(70vw, 30rem); display: block; touch-action: none; cursor: grab; }
#heads output { min-width: 11rem; color: var(--quiet); }
.controls { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; align-items: center; } .controls select { max-width: 100%; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 1rem; }
.curve { min-width: 0; } .u-title { font-size: .9rem; font-weight: normal; } .u-legend { font-size: .8rem; }
svg.timeline { max-width: 48rem; } svg.timeline rect { fill: #3b7ddd; }
@media print { .controls, #heads canvas, #heads .note { display: none; } details { display: block; } h2 { break-after: avoid; } .row, svg { break-inside: avoid; } }
@media (max-width: 30rem) { main { padding: .8rem; } th, td { padding: .2rem .4rem; font-size: .85rem; } svg text { font-size: 18px; } }
`;

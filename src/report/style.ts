/** How the page looks. Colours are told once for light and dark; contrasts are those of WCAG AA at least. */
export const STYLE = `
:root{color-scheme:light dark;
--bg:light-dark(#f5f6f8,#10141b);--panel:light-dark(#fff,#181e28);--ink:light-dark(#1b2230,#e7eaf0);
--soft:light-dark(#545e70,#a3adbd);--line:light-dark(#e1e5eb,#2b3442);--track:light-dark(#e8ebf0,#2a3341);
--main:light-dark(#2b66d9,#7aa8ff);--main-soft:light-dark(#b9cdf5,#35507f);--hover:light-dark(#174bb0,#a9c6ff);
--warn:light-dark(#9a4a00,#f3b765);--warn-bg:light-dark(#fff5e6,#33271a);--gone:light-dark(#d2613f,#f08c6a);
--chip:light-dark(#eef2fa,#232d3d);--shadow:light-dark(rgba(20,30,50,.07),rgba(0,0,0,.35))}
[data-theme=light]{color-scheme:light}[data-theme=dark]{color-scheme:dark}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
a{color:var(--main);text-decoration-thickness:1px;text-underline-offset:2px}a:hover{color:var(--hover)}
:focus-visible{outline:2px solid var(--main);outline-offset:2px;border-radius:4px}
[hidden]{display:none!important}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-99rem;top:.5rem;z-index:9;background:var(--panel);padding:.5rem 1rem;border-radius:6px}.skip:focus{left:.5rem}
.page{max-width:1480px;margin:0 auto;padding:0 1.5rem 3rem}
.top-line{display:flex;gap:1rem;align-items:center;padding:1.6rem 0 1.1rem}
.top-line div{min-width:0;flex:1}
h1{font-size:1.65rem;line-height:1.2;letter-spacing:-.015em;margin:0;overflow-wrap:anywhere}
.top-line p{margin:.25rem 0 0;color:var(--soft);font-size:.87rem;overflow-wrap:anywhere}
button,select,input[type=search]{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.4rem .7rem}
button{cursor:pointer;white-space:nowrap}button:hover,select:hover{border-color:var(--main)}
button b{font-weight:600}
.banner{background:var(--warn-bg);color:var(--warn);border:1px solid currentColor;border-radius:10px;padding:.55rem .9rem;margin:0 0 1rem;font-weight:600}
dl{margin:0}dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:.75rem 1rem;box-shadow:0 1px 3px var(--shadow)}
.tiles dt{color:var(--soft);font-size:.8rem}
.tiles b{display:block;font-size:1.45rem;line-height:1.25;letter-spacing:-.01em;font-weight:650;white-space:nowrap}
.tiles span{color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
h2{font-size:1.08rem;margin:0 0 .6rem;letter-spacing:-.005em}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:1rem 1.15rem;margin-top:1.2rem;box-shadow:0 1px 3px var(--shadow)}
.explained{color:var(--soft);font-size:.87rem;margin:-.3rem 0 .8rem;max-width:80ch}
.look{list-style:none;margin:0;padding:0}
.look>li{display:grid;grid-template-columns:minmax(170px,230px) 1fr;gap:.2rem 1rem;padding:.4rem 0;border-top:1px solid var(--line)}
.look>li:first-child{border-top:0;padding-top:0}
.look p{margin:0;font-weight:600;font-size:.92rem}
.look ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.3rem}
.look ul li{background:var(--chip);border-radius:7px;padding:.06rem .5rem;font-size:.84rem;max-width:100%;overflow-wrap:anywhere}
.look small{color:var(--soft);margin-left:.4rem;font-size:.78rem}
.look summary{font-size:.84rem;color:var(--soft);cursor:pointer;margin:.35rem 0}
.mark{flex:none;display:inline-block;width:1.35em;height:1.35em;line-height:1.35em;margin-right:.5em;border-radius:50%;text-align:center;font-size:.8em;font-weight:700;background:var(--chip);color:var(--soft)}.warning .mark{background:var(--warn-bg);color:var(--warn);box-shadow:inset 0 0 0 1px currentColor}
.bar-line{position:sticky;top:0;z-index:5;display:flex;flex-wrap:wrap;gap:.6rem .8rem;align-items:center;background:var(--bg);padding:.7rem 0;margin-top:1.1rem}
.bar-line h2{margin:0}
.bar-line input[type=search]{flex:1 1 11rem;min-width:8rem;max-width:22rem}
.bar-line label{color:var(--soft);font-size:.87rem;display:flex;align-items:center;gap:.45rem}
fieldset{border:1px solid var(--line);border-radius:8px;background:var(--panel);padding:2px;margin:0;display:flex;flex-wrap:wrap}
fieldset label{padding:.26rem .6rem;border-radius:6px;cursor:pointer;gap:.3rem;position:relative}
fieldset input{position:absolute;opacity:0;inset:0;cursor:pointer;margin:0}
fieldset label:has(:checked){background:var(--main);color:light-dark(#fff,#0d1420)}
fieldset label:has(:focus-visible){outline:2px solid var(--main);outline-offset:2px}
#status{color:var(--soft);font-size:.87rem;margin:0 0 0 auto}
.columns{display:grid;grid-template-columns:215px minmax(0,1fr);gap:1.3rem;align-items:start}
.index{position:sticky;top:4.2rem;max-height:calc(100vh - 5rem);overflow:auto;font-size:.87rem;scrollbar-width:thin}
.index ol{list-style:none;margin:0;padding:0}
.index li{content-visibility:auto;contain-intrinsic-size:auto 31px}
.index a{display:grid;grid-template-columns:1.6rem minmax(0,1fr) 30px;gap:.35rem;align-items:center;padding:.22rem .45rem;border-radius:6px;color:inherit;text-decoration:none}
.index a:hover{background:var(--chip)}.index a:focus-visible{outline-offset:-2px}
.index .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.symbol{color:var(--main);font-size:.78rem;font-weight:600;text-align:center;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,350px),1fr));gap:1rem;}
.card{background:var(--panel);border:1px solid var(--line);border-radius:12px;padding:.9rem 1rem;box-shadow:0 1px 3px var(--shadow);content-visibility:auto;contain-intrinsic-size:auto 400px;min-width:0}
.card:focus{outline:2px solid var(--main)}
.card header{display:flex;align-items:baseline;gap:.5rem;margin-bottom:.5rem}
h3{font-size:1rem;line-height:1.3;margin:0;flex:1;min-width:0;overflow-wrap:anywhere}
.type{color:var(--soft);font-size:.8rem;white-space:nowrap}.type b{font-weight:500}
.badge{font-size:.72rem;font-weight:600;color:var(--main);border:1px solid currentColor;border-radius:20px;padding:0 .5em}
svg{display:block;width:100%}
.share{height:6px;border-radius:3px}.filled .share{height:5px}
.track{fill:var(--track)}.fill{fill:var(--main)}
.present .track{fill:var(--gone)}.present .fill{fill:var(--main-soft)}
.missing .track,.top .track{fill:transparent}.missing .fill{fill:var(--gone)}.top .fill{fill:var(--main)}
.facts{display:flex;flex-wrap:wrap;gap:.1rem .9rem;color:var(--soft);font-size:.82rem;margin:.35rem 0 .7rem}.facts b{color:var(--ink);font-weight:600}
.chart{margin:.2rem 0 0}.chart svg{height:76px}
.bar{fill:var(--main)}.bar.far{fill:var(--main-soft)}.hit{fill:transparent}g:hover>.hit{fill:var(--track)}g:hover>.bar{fill:var(--hover)}
.axis{display:flex;justify-content:space-between;gap:.5rem;border-top:1px solid var(--line);color:var(--soft);font-size:.75rem;padding-top:.1rem}
.far-note,.only{color:var(--soft);font-size:.77rem;margin:.1rem 0 0}
.box{height:12px;margin:.15rem 0}.whisker{stroke:var(--soft);fill:none;vector-effect:non-scaling-stroke}.middle{fill:var(--main-soft)}.median{stroke:var(--main);stroke-width:2;vector-effect:non-scaling-stroke;fill:none}
.card dl{display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;margin:.45rem 0 .3rem}
.card dt{color:var(--soft);font-size:.74rem}.card dd{font-weight:600;font-size:.92rem;overflow-wrap:anywhere}
table{border-collapse:collapse}caption{text-align:left;color:var(--soft);font-size:.74rem;padding:.2rem 0 .1rem}
th{font-weight:500;text-align:left}
.quantiles{width:100%;font-size:.77rem;table-layout:fixed}
.quantiles th{color:var(--soft);font-weight:400}.quantiles th,.quantiles td{padding:0;text-align:left;overflow-wrap:anywhere}
.top{width:100%;font-size:.84rem;margin-top:.1rem;table-layout:fixed}
.top th{padding:.1rem .6rem .1rem 0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.c-value{width:45%}.c-times{width:4.4rem}.c-percent{width:3.9rem}
.bar-cell{padding:0 .5rem 0 0}
.times,.percent{text-align:right;white-space:nowrap}.percent{color:var(--soft);padding-left:.6rem}
.rest th,.rest td,.none{color:var(--soft);font-style:italic}.value{white-space:pre}
.about{text-decoration:none;cursor:help}
.lengths{font-size:.82rem;color:var(--soft);margin:.5rem 0 0}.lengths summary,.findings summary{cursor:pointer}.lengths p{margin:.2rem 0}
.findings{list-style:none;margin:.6rem 0 0;padding:.45rem 0 0;border-top:1px solid var(--line);font-size:.83rem}
.findings li{margin:.15rem 0}.findings p{margin:0}
.findings li>p,.findings summary{display:flex;align-items:baseline;list-style:none}.findings details p{color:var(--soft);margin:.15rem 0 .2rem 1.6em}
.findings summary::-webkit-details-marker{display:none}
.findings summary::after{content:"▸";color:var(--soft);margin-left:.4em}.findings [open]>summary::after{content:"▾"}
.findings summary:hover{color:var(--hover)}
.samples{margin:.2rem 0 .4rem 1.6em}.samples td{vertical-align:baseline;padding:.05rem .7rem .05rem 0;color:var(--soft);white-space:nowrap}
.samples td+td{white-space:normal}
code{font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;background:var(--chip);color:var(--ink);border-radius:4px;padding:.05em .25em;white-space:pre-wrap;overflow-wrap:anywhere}
.notes{color:var(--soft);font-size:.75rem;line-height:1.4;margin:.6rem 0 0;border-top:1px dashed var(--line);padding-top:.4rem}
.scroll{overflow-x:auto;max-width:100%}
.pairs td,.pairs th{padding:.22rem .4rem;font-size:.8rem}
.pairs tbody td{text-align:center;min-width:3.3rem;border:2px solid var(--panel);border-radius:6px}
.pairs th{max-width:11rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.pairs thead th{vertical-align:bottom;text-align:center;max-width:6rem}
.pairs thead span{display:block;white-space:normal;overflow-wrap:anywhere;line-height:1.2}
.heatmap{width:min(100%,560px);aspect-ratio:1;flex:none}
.scroll:has(.heatmap){display:flex;flex-wrap:wrap;gap:1.5rem}
.strongest{font-size:.84rem;align-self:start}.strongest td{padding:.1rem .5rem;text-align:right;border:2px solid var(--panel)}.strongest th{padding-right:1rem}
.r{background:var(--c);fill:var(--c);color:var(--t,var(--ink))}
.zero{--c:light-dark(#f2f4f7,#222a36)}.none{--c:transparent}.self{background:var(--track)}
.p1{--c:light-dark(#dde8fb,#25344f)}.p2{--c:light-dark(#b9d0f6,#2c4672)}.p3{--c:light-dark(#8fb3f0,#365b9a);--t:light-dark(#101a2c,#fff)}.p4{--c:light-dark(#4f83dd,#6494e6);--t:light-dark(#fff,#0d1420)}.p5{--c:light-dark(#1f55bd,#a5c5ff);--t:light-dark(#fff,#0d1420)}
.n1{--c:light-dark(#fbe5dd,#45302a)}.n2{--c:light-dark(#f5c6b5,#633d30)}.n3{--c:light-dark(#eda388,#8c503b);--t:light-dark(#2a120a,#fff)}.n4{--c:light-dark(#cc5f3c,#d9805f);--t:light-dark(#fff,#1d0d07)}.n5{--c:light-dark(#a23d1c,#ffb69c);--t:light-dark(#fff,#1d0d07)}
.legend{display:flex;align-items:center;gap:2px;color:var(--soft);font-size:.78rem;margin:.7rem 0 0}.legend i{width:20px;height:10px;display:inline-block}
.patterns{font-size:.82rem}.patterns thead th{vertical-align:bottom;padding:0 0 .3rem}
.patterns thead a{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block;max-height:9.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;color:inherit;text-decoration:none}
.patterns thead a:hover{color:var(--main)}
.patterns tbody td{padding:.14rem .25rem}.patterns thead th{min-width:22px;text-align:center}
.patterns .gone::before,.patterns .there::before{content:"";display:block;width:14px;height:14px;border-radius:50%;margin:auto;background:var(--track)}
.patterns .gone::before{background:var(--gone)}
.patterns .bar-cell{width:150px;padding:0 .5rem 0 .9rem}
.patterns .unseen-head{font-size:0}
.patterns thead th:nth-last-child(2){text-align:right;color:var(--soft);font-weight:400}
footer{color:var(--soft);font-size:.8rem;margin-top:2rem}
@media(max-width:1000px){.columns{grid-template-columns:minmax(0,1fr)}.index{display:none}}
@media(max-width:600px){.page{padding:0 .8rem 2rem}.tiles{grid-template-columns:1fr 1fr;gap:.5rem}.tiles b{font-size:1.2rem}.look>li{grid-template-columns:1fr}.bar-line{position:static}#status{margin-left:0}h1{font-size:1.3rem}.top-line{align-items:start}html{scroll-padding-top:1rem}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
@media print{:root,[data-theme]{color-scheme:light}body{background:#fff;font-size:10pt}.page{max-width:none;padding:0}button,.index,.bar-line input,.bar-line label,.bar-line fieldset,.skip{display:none!important}
.bar-line{position:static;padding:.3rem 0;background:none}.columns{display:block}.cards{grid-template-columns:repeat(2,minmax(0,1fr))}.card,.panel,.tiles div{box-shadow:none;break-inside:avoid;content-visibility:visible}.tiles{grid-template-columns:repeat(3,1fr)}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}a{color:inherit;text-decoration:none}.scroll{overflow:visible}}
@page{margin:14mm}
@media(forced-colors:active){.bar,.fill,.middle,.heatmap rect,.patterns .gone::before,.legend i{forced-color-adjust:none}}
`

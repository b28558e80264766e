/** Style sheet of the report: part of the file, which loads nothing. */
export const style = `
:root {
  color-scheme: light;
}
body {
  font:
    14px/1.5 system-ui,
    'Segoe UI',
    sans-serif;
  color: #1f2328;
  background: #fff;
  max-width: 1060px;
  margin: 32px auto;
  padding: 0 24px;
}
h1 {
  font-size: 24px;
  margin: 0 0 4px;
  overflow-wrap: anywhere;
}
h2 {
  font-size: 16px;
  margin: 32px 0 8px;
  break-after: avoid;
}
.sub {
  color: #59636e;
  margin: 0 0 20px;
}
.figures {
  display: grid;
  grid-template-columns: repeat(5, 1fr);
  gap: 0 18px;
}
.figure {
  border-top: 2px solid #1f2328;
  padding-top: 6px;
}
.figure b {
  display: block;
  font-size: 22px;
  font-weight: 400;
}
.figure span {
  color: #59636e;
  font-size: 12px;
  display: block;
}
table {
  border-collapse: collapse;
  width: 100%;
  font-size: 12px;
  font-variant-numeric: tabular-nums;
}
thead {
  display: table-header-group;
}
tr {
  break-inside: avoid;
}
th {
  text-align: left;
  font-weight: 600;
  border-bottom: 1px solid #1f2328;
  padding: 3px 6px;
}
td {
  padding: 3px 6px;
  border-bottom: 1px solid #d1d9e0;
}
.n {
  text-align: right;
}
.name {
  overflow-wrap: anywhere;
}
.settings {
  display: grid;
  grid-template-columns: max-content 1fr;
  gap: 2px 18px;
}
.settings dt {
  color: #59636e;
}
.settings dd {
  margin: 0;
}
.b8 {
  background: #ddeafc;
}
.b4 {
  background: #dcefdc;
}
.b2 {
  background: #f8ecc9;
}
.bits {
  text-align: center;
  font-weight: 600;
}
figure {
  margin: 0;
  break-inside: avoid;
}
svg {
  max-width: 100%;
  height: auto;
}
.strips {
  display: flex;
  flex-wrap: wrap;
  gap: 14px;
}
.strips svg {
  break-inside: avoid;
  border: 1px solid #d1d9e0;
  flex: none;
}
.patches td {
  border: 1px solid #59636e;
  text-align: center;
  padding: 4px;
  width: 34px;
}
.patches {
  width: auto;
}
.outlier {
  background: #fbe3c6;
  font-weight: 600;
}
footer {
  margin-top: 36px;
  color: #59636e;
  font-size: 12px;
  border-top: 1px solid #d1d9e0;
  padding-top: 8px;
}
@media print {
  body {
    margin: 0;
    max-width: none;
    padding: 0;
    font-size: 11px;
  }
  a {
    color: inherit;
  }
  @page {
    margin: 16mm;
  }
}`;

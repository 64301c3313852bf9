import { render } from 'preact'
import { Dashboard } from './dashboard.tsx'
import 'uplot/dist/uPlot.min.css'
import './base.css'
import './table.css'
import './dialog.css'
import './page.css'

const place = document.getElementById('page')
if (place !== null) render(<Dashboard />, place)

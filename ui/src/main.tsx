import { render } from 'preact'
import { Dashboard } from './dashboard.tsx'
import 'uplot/dist/uPlot.min.css'
import './page.css'

const place = document.getElementById('page')
if (place !== null) render(<Dashboard />, place)

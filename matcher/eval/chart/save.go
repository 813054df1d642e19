package chart

import (
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	_ "gonum.org/v1/plot/vg/vgimg" // PNG
	_ "gonum.org/v1/plot/vg/vgsvg" // SVG
)

// Size of a chart; the legend has a column of its own on the right, so that it
// hides no part of a curve.
const (
	width       = 18 * vg.Centimeter
	height      = 12 * vg.Centimeter
	legendWidth = 5.6 * vg.Centimeter
)

// save writes p with its legend as dir/name.png and dir/name.svg, replacing
// what is there. The folder is made if it is missing.
func save(dir, name string, p *plot.Plot, legend *plot.Legend) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("writing charts: %w", err)
	}
	for _, format := range []string{"png", "svg"} {
		if err := saveAs(filepath.Join(dir, name+"."+format), format, p, legend); err != nil {
			return fmt.Errorf("writing charts: %w", err)
		}
	}
	return nil
}

func saveAs(path, format string, p *plot.Plot, legend *plot.Legend) error {
	canvas, err := draw.NewFormattedCanvas(width, height, format)
	if err != nil {
		return err
	}
	all := draw.New(canvas)
	all.SetColor(p.BackgroundColor)
	all.Fill(all.Rectangle.Path())
	p.Draw(draw.Crop(all, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(all, width-legendWidth+3*vg.Millimeter, -2*vg.Millimeter, 0, -1*vg.Centimeter))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// newLegend is one that begins at the top left of its column.
func newLegend() *plot.Legend {
	l := plot.NewLegend()
	l.Top, l.Left = true, true
	l.TextStyle.Font.Size = 8
	l.Padding = 1 * vg.Millimeter
	l.ThumbnailWidth = 6 * vg.Millimeter
	return &l
}

//! `rstall show`: one trial of a fault, drawn and told step by step.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rstall::fault::{Case, Cases, Fault};
use rstall::record::store;
use rstall::timeline::{Drawing, Timeline, svg, text};
use rstall::trial;
use rstall::verdict::cases::fitting;
use rstall::verdict::judge::judge;
use rstall::{fault, interrupt, limits};
use serde_json::json;

use super::cell::{CellOptions, fault_of, names};
use super::draw::{self, GlyphOptions};

#[derive(Debug, Args)]
#[command(
    after_help = "What is left out is that of the fault's loop that falls ill (with --cured: of the one \
                  that is cured), on the first backend that shows it here.\n\nExit status: 0 done, 1 void or \
                  failed, 2 usage or not applicable.\n\nExamples:\n  rstall show rival_in_window\n  rstall show \
                  rival_in_window --cured\n  rstall show herd --arm shared_8 --backend epoll\n  rstall show \
                  reset_in_window --svg berkeley.svg\n  rstall show burst --json | jq '.timeline.rows[].sentence'"
)]
pub struct Show {
    /// What happens to the connections; see `rstall list`
    #[arg(value_parser = names(fault::ALL.iter().map(|f| f.name)))]
    fault: String,
    /// Show the loop that is cured instead of the one that falls ill
    #[arg(long)]
    cured: bool,
    #[command(flatten)]
    cell: CellOptions,
    /// Write the drawing to this file, as an SVG that stands alone
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the drawing and the trial's record to standard output, as JSON
    #[arg(long, conflicts_with_all = ["ascii", "unicode"])]
    json: bool,
    #[command(flatten)]
    glyphs: GlyphOptions,
}

impl Show {
    pub fn run(&self) -> Result<ExitCode, String> {
        let fault = fault_of(&self.fault)?;
        let Some((case, cases)) = self.cases(fault) else { return Ok(ExitCode::from(2)) };
        let fits = || fitting(fault, cases.as_ref(), &case);
        let Some(backend) = self.cell.backend.as_deref().or_else(fits) else {
            let name = fault.name;
            anstream::eprintln!(
                "{name}: no backend of this machine can be tried so; see rstall list"
            );
            return Ok(ExitCode::from(2));
        };
        let Some(cell) = self.cell.cell(fault, &case, backend)? else {
            return Ok(ExitCode::from(2));
        };
        limits::raise_open_files();
        interrupt::listen()?;
        let record = trial::run(&cell, self.cell.timing())?;
        let drawing = Drawing::of(&Timeline::of(&record));
        if let Some(path) = &self.svg {
            let svg =
                svg::file(&drawing).map_err(|error| format!("cannot draw an SVG: {error}"))?;
            store::write_whole(path, svg.as_bytes()).map_err(|error| error.to_string())?;
        }
        if self.json {
            let line = json!({ "timeline": drawing, "record": record });
            super::show(&format!("{line}\n"))?;
        } else if self.svg.is_none() {
            let title = textwrap::fill(&drawing.title, text::WIDTH);
            let drawn = draw::drawing(&drawing, cell.kernel, self.glyphs.glyphs());
            let told = text::explain(&drawing, self.glyphs.glyphs());
            let came = draw::sentence(&record, cell.driver);
            super::show(&format!("{title}\n\n{drawn}\n{told}\n{came}"))?;
        }
        Ok(match judge(&record, cell.driver) {
            Ok(_) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        })
    }

    /// The loop that is asked for, and the pair that it is one of, both with the options given.
    /// `None` where the fault has no such arm.
    fn cases(&self, fault: &'static Fault) -> Option<(Case, Option<Cases>)> {
        let Some(cases) = &fault.cases else {
            let control = Case { discipline: fault.discipline, ..Case::SOUND };
            return Some((self.cell.case(fault, &control)?, None));
        };
        let ill = self.cell.case(fault, &cases.ill)?;
        let cured = self.cell.case(fault, &cases.cured)?;
        let case = if self.cured { cured } else { ill };
        Some((case, Some(Cases { ill, cured, without: cases.without })))
    }
}

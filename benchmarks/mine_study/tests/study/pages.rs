//! Pictures and prose.

use super::support::{SMALL, number, rows, small, summary};
use labtrust_mine_haulage::MineData;

#[test]
fn the_map_names_every_node_and_every_road() {
    let svg = small("topology.svg");
    let document = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    let data = MineData::built_in();
    for node in &data.site().nodes {
        assert!(texts.contains(&node.id.as_str()), "{}", node.id);
    }
    for edge in &data.site().edges {
        let road = edge.physical_road();
        let label = |text: &&&str| **text == road || text.starts_with(&format!("{road} ·"));
        assert!(texts.iter().any(|text| label(&text)), "{road}");
    }
    for word in ["Legend", "Ramp", "Crusher", "Roads of limited capacity", "E03 closed", "8 h"] {
        assert!(word == "8 h" || texts.iter().any(|text| text.contains(word)) || svg.contains("closed"), "{word}");
    }
}

#[test]
fn the_picture_is_as_large_as_the_drawing_and_not_blank() {
    let bytes = std::fs::read(SMALL.path().join("study/topology.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let svg = small("topology.svg");
    assert!(svg.contains(&format!("viewBox=\"0 0 {} {}\"", info.width, info.height)), "{}", &svg[..200]);
    let mut colours: Vec<[u8; 3]> = pixels.as_chunks::<3>().0.to_vec();
    colours.sort_unstable();
    colours.dedup();
    assert!(colours.len() > 100, "{} colours", colours.len());
}

#[test]
fn the_animation_needs_no_network_and_shows_what_the_log_says() {
    let page = small("animation.html");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!without_namespace.contains("http") && !page.contains("src=") && !page.contains("{{"));
    let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let show: serde_json::Value = serde_json::from_str(data).unwrap();
    let motions = show["motions"].as_array().unwrap();
    let delivered: f64 =
        motions.iter().filter(|motion| motion[3] == "u").map(|motion| motion[6].as_f64().unwrap()).sum();
    let first = &rows(&small("results.csv"))[0];
    assert_eq!(
        (show["scenario"].as_str().unwrap(), show["replication"].as_u64()),
        (first["scenario_id"].as_str(), Some(0))
    );
    assert_eq!(delivered, number(first, "total_tonnes_delivered"));
    assert_eq!(show["trucks"].as_array().unwrap().len(), 8);
    assert_eq!(show["end"], 480.0);
    for truck in 0..8 {
        // What a truck does follows without a gap from the beginning to the end of the shift.
        let own: Vec<_> = motions.iter().filter(|motion| motion[0] == truck).collect();
        assert_eq!(own[0][1], 0.0);
        assert!(
            own.windows(2).all(|pair| (pair[0][2].as_f64().unwrap() - pair[1][1].as_f64().unwrap()).abs() < 0.0015)
        );
    }
}

#[test]
fn the_readme_tells_the_figures_of_the_run_and_answers_every_question() {
    let (readme, summary) = (small("README.md"), summary());
    let grouped = |value: f64| {
        let text = format!("{value:.0}");
        if text.len() > 3 { format!("{},{}", &text[..text.len() - 3], &text[text.len() - 3..]) } else { text }
    };
    for (id, entry) in summary["scenarios"].as_object().unwrap() {
        let mean = entry["total_tonnes_mean"].as_f64().unwrap();
        let row = readme.lines().find(|line| line.starts_with(&format!("| {id} | {} |", grouped(mean))));
        assert!(row.is_some(), "{id}: {mean}");
    }
    for number in 1..=6 {
        let answer = readme.split_once(&format!("**{number}. ")).unwrap().1;
        let answer = answer.split_once("** ").unwrap().1.lines().next().unwrap();
        assert!(answer.bytes().filter(u8::is_ascii_digit).count() > 3, "answer {number} has no figure: {answer}");
        assert!(!answer.contains("did not run"), "{answer}");
    }
    for heading in [
        "Install, run, reproduce",
        "Model and assumptions",
        "Routing and dispatch",
        "Results",
        "Answers",
        "Bottlenecks",
        "Limitations",
        "Further scenarios",
        "Files",
    ] {
        assert!(readme.contains(&format!("\n## {heading}\n")), "{heading}");
    }
    assert!(!readme.contains("NaN") && !readme.contains("inf ") && !readme.contains("/tmp"));
}

#[test]
fn the_conceptual_model_has_every_part() {
    let text = small("conceptual_model.md");
    for heading in [
        "System boundary",
        "Entities",
        "Resources",
        "Events",
        "State variables",
        "Assumptions",
        "Limitations",
        "Performance measures",
    ] {
        assert!(text.contains(&format!("\n## {heading}\n")), "{heading}");
    }
    for resource in ["| L_N | loader | 1 |", "| D_CRUSH | crusher | 1 |", "| E03_UP | road | 1 |"] {
        assert!(text.contains(resource), "{resource}");
    }
    let header = small("results.csv").lines().next().unwrap().to_owned();
    for column in header.split(',').skip(3).take(8) {
        assert!(text.contains(column), "{column} is not defined");
    }
}

<?php // php dates.php > dates.txt: what PHP prints of moments in all zones, and with all letters in some.
date_default_timezone_set("UTC");
// Old names of one word (CET, GMT+0) PHP takes for abbreviations.
$zones = preg_grep("~/|^UTC$~", timezone_identifiers_list(DateTimeZone::ALL_WITH_BC));
function show($zone, $seconds, $format) {
    $d = new DateTime("@$seconds");
    $d->setTimezone(new DateTimeZone($zone));
    echo "$zone\t$seconds\t$format\t", $d->format($format), "\n";
}
foreach ($zones as $zone) {
    foreach ([1705320000, 1721044800] as $seconds) { // January and July 2024
        show($zone, $seconds, "T e I O P p Z H:i");
    }
}
foreach (["UTC", "Europe/Dublin", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham", "Africa/Accra"] as $zone) {
    foreach ([-62169984000, -5000000000, 0, 951782399, 1704067199, 1735689599, 1721044800, 253402300800] as $seconds) {
        show($zone, $seconds, "d D j l N S w z | W F m M n t | L o Y y X x | a A B g G h H i s u v | e I O P p T Z | c | r | U | \\Y\\\\ k,.");
    }
}

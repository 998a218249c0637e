//! Regions, and the host names of STS in them.

use super::error::AwsError;

/// The suffix of a partition's host names, by the beginning of its regions' names (botocore `endpoints.json`,
/// "partitions").
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
    ("us-gov-", "amazonaws.com"),
];
/// The rest of the world.
const WORLD: &str = "amazonaws.com";
/// Where STS has an endpoint of its own for FIPS 140 (AWS General Reference, "AWS STS endpoints").
const FIPS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// What is signed for, where nothing names a region.
pub(super) const DEFAULT: &str = "us-east-1";

/// A region with its endpoint of STS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    /// `eu-central-1`.
    pub(super) name: String,
    /// `sts.eu-central-1.amazonaws.com`.
    pub(super) sts_host: String,
}

impl Region {
    /// `place` is for errors. With `fips` only validated modules verify the request; a region without such an endpoint gives way
    /// to us-east-1, as in Teleport's own client.
    pub(super) fn new(name: &str, place: &str, fips: bool) -> Result<Self, AwsError> {
        let (given, name) = (name, name.trim().to_lowercase());
        let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let parts = name.split('-').count();
        if name.len() > 40 || !(3..=5).contains(&parts) || !name.split('-').all(part) {
            return Err(AwsError::Region { place: place.to_owned(), value: given.to_owned() });
        }
        let suffix = PARTITIONS.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(WORLD, |(_, s)| s);
        // All endpoints of GovCloud are validated, under their plain names.
        let is_plain = !fips || name.starts_with("us-gov-");
        if is_plain {
            let sts_host = format!("sts.{name}.{suffix}");
            return Ok(Self { name, sts_host });
        }
        let name = if FIPS.contains(&name.as_str()) { name } else { DEFAULT.to_owned() };
        let sts_host = format!("sts-fips.{name}.{WORLD}");
        Ok(Self { name, sts_host })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_hosts() {
        for (name, fips, host) in [
            ("eu-central-1", false, "sts.eu-central-1.amazonaws.com"),
            (" US-East-1 ", false, "sts.us-east-1.amazonaws.com"),
            ("us-east-1", true, "sts-fips.us-east-1.amazonaws.com"),
            ("us-west-2", true, "sts-fips.us-west-2.amazonaws.com"),
            ("eu-central-1", true, "sts-fips.us-east-1.amazonaws.com"),
            ("ap-southeast-7", false, "sts.ap-southeast-7.amazonaws.com"),
            ("us-gov-west-1", false, "sts.us-gov-west-1.amazonaws.com"),
            ("us-gov-west-1", true, "sts.us-gov-west-1.amazonaws.com"),
            ("cn-northwest-1", false, "sts.cn-northwest-1.amazonaws.com.cn"),
            ("us-iso-east-1", false, "sts.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, "sts.us-isob-east-1.sc2s.sgov.gov"),
            ("us-isof-south-1", false, "sts.us-isof-south-1.csp.hci.ic.gov"),
            ("eu-isoe-west-1", false, "sts.eu-isoe-west-1.cloud.adc-e.uk"),
            ("eusc-de-east-1", false, "sts.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(Region::new(name, "x", fips).unwrap().sts_host, host, "{name}");
        }
        for bad in [
            "",
            "us",
            "eu-central",
            "eu-central-1/x",
            "evil.example.com",
            "a-b-c\r\nx",
            "eu--1",
            "é-b-c",
            "a-b-c-d-e-f",
        ] {
            assert!(Region::new(bad, "x", false).is_err(), "{bad:?}");
        }
    }
}
